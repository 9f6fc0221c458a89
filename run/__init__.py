"""What a user starts: case files, the command line, the run driver, reports, demonstration and benchmark."""
