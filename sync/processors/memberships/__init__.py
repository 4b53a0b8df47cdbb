"""What users, enrolments, groups, cohorts and meta links share."""
