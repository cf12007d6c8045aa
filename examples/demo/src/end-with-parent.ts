// Loaded into the simulator's process, which must not outlive the demo however that ends. The channel closes with the
// demo's process, killed or not; unreferenced, it does not keep this one alive either.
process.once('disconnect', () => process.exit());
process.channel?.unref();
