"""Builds the wheel: the cases travel inside the package, while a checkout keeps them beside it."""

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CasesInside(BuildHookInterface):
    def initialize(self, version: str, build_data: dict) -> None:
        if version != "editable":
            build_data["force_include"]["cases"] = "tfparity/cases"
