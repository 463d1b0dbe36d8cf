namespace Rpat.Trainer.Perception;

/// <summary>One network under one perturbation.</summary>
internal sealed record PerceptionRun(string Model, string Path, PerceptionSamples Samples)
{
    /// <summary>The two representations with their names.</summary>
    public IReadOnlyList<(string Name, PerceptionSpace Space)> Spaces => [("logits", Samples.Logits), ("features", Samples.Features)];
}
