"""File types that list courses: `courses_check`, `courses_delete`, `courses_reset`."""
