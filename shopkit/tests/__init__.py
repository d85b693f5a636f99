"""Tests of shopkit."""
