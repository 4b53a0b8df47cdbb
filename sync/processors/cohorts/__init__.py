"""The file types `cohorts` and `cohort_courses`."""
