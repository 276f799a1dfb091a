"""What the output is: depth, normals, cameras, and how network channels become them."""
