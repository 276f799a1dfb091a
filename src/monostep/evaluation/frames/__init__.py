"""In which frame the normals of a folder are, by comparing them with truth or depth."""
