"""Tests of clinic."""
