"""Tests of Sheyi."""
