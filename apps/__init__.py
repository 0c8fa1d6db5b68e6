"""The storeys of the house; an app imports only apps below it."""
