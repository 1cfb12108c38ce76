"""The training of an AR-GAN: state, step, loop, checkpoint. Opens no file; batches, report and stop come in."""
