"""Tests of the reports, on runs that were made up."""
