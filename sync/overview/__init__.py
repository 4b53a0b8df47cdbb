"""What an administrator wants to know at a glance: what needs a person, and how each feed does."""
