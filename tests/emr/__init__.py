"""Tests of emr."""
