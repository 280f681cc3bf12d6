"""Nothing but a mark of the root: the checks are collected by `tfparity.suite.plugin`, which installing registers."""
