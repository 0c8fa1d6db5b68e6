"""Tables of the kernel that know no product, and the fields and constraints every app uses."""
