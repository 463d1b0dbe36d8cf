namespace Rpat.Training.Weights;

/// <summary>Names inside a run folder.</summary>
internal static class CheckpointFile
{
    /// <summary>The network's state, loadable by PyTorch under its names.</summary>
    public const string Name = "model.safetensors";

    /// <summary>The network that validation found the most robust, where there is a validation.</summary>
    public const string Best = "best.safetensors";
}
