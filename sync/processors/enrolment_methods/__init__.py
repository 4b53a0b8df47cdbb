"""The file type `enrolment_methods`."""
