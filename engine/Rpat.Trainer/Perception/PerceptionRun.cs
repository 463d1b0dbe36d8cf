namespace Rpat.Trainer.Perception;

/// <summary>One network under one perturbation.</summary>
/// <param name="Model">What tables and charts call the network.</param>
/// <param name="Path">Its run folder or file.</param>
/// <param name="Samples">What was measured.</param>
internal sealed record PerceptionRun(string Model, string Path, PerceptionSamples Samples)
{
    /// <summary>The two representations with their names.</summary>
    public IReadOnlyList<(string Name, PerceptionSpace Space)> Spaces => [("logits", Samples.Logits), ("features", Samples.Features)];
}
