"""File types of users: `users`, `users_delete`, `users_suspend`, `users_restore`."""
