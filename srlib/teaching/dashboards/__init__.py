"""The dashboards of the lessons, one module each: pure functions to compute, draw and describe, and the panels."""
