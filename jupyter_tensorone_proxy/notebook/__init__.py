"""What runs in the kernel: magics and cards."""
