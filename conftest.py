"""Nothing but a mark of the root: the checks are collected by `tfparity.plugin`, which installing registers."""
