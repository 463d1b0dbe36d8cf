namespace Rpat.Trainer.Training;

/// <summary>Names inside a run folder.</summary>
internal static class CheckpointFile
{
    /// <summary>The network's state, loadable by PyTorch under its names.</summary>
    public const string Name = "model.safetensors";
}
