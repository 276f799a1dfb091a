"""Scores of many images for people and programs: means, intervals, comparisons."""
