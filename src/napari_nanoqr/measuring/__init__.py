"""What micrographs of codes are good for beyond their payload: sizes, grades, trends, reports."""
