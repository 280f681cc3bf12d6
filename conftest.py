"""Marks the root of the checkout. The checks in `cases/` are collected by pytest's plugin `tfparity.plugin`, which is
registered when tfparity is installed."""
