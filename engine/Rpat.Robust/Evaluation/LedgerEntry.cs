using System.Text.Json.Serialization;

namespace Rpat.Robust.Evaluation;

/// <summary>Result of one part of one attack on one image: a line of the ledger. It does not depend on time, batch or order.</summary>
/// <param name="Eps">Number of the radius in the plan, from 0; −1 for the clean pass.</param>
/// <param name="Suite">The column, such as <c>aa</c>; <c>clean</c> for the clean pass.</param>
/// <param name="Stage">Position of the attack in its suite, from 0; that of the successful attack if a
/// smaller radius' example was taken over.</param>
/// <param name="Attack">Its name; <c>reused</c> when a smaller radius' example was taken over.</param>
/// <param name="Rank">Rank of the target class, 0 without one.</param>
/// <param name="Fooled">Whether the image counts as misclassified from here on.</param>
/// <param name="Prediction">The class that the network gave; −1 where the part failed.</param>
/// <param name="Norm">Length of the perturbation in double; 0 where the part failed, or the length of
/// one rejected for leaving ball or box.</param>
/// <param name="Margin">z_y − max_{k≠y} z_k at the point, or of the clean image.</param>
/// <param name="Iteration">Iteration in which the point was found.</param>
/// <param name="Backwards">Those of them with a gradient.</param>
/// <param name="ZeroGradients">Gradients that were zero everywhere.</param>
/// <param name="BadGradients">Gradients with NaN or infinity.</param>
/// <param name="Digest">First half of the SHA-256 of the adversarial image's bytes, or empty.</param>
public sealed record LedgerEntry(
    [property: JsonPropertyName("eps")] int Eps,
    [property: JsonPropertyName("suite")] string Suite,
    [property: JsonPropertyName("stage")] int Stage,
    [property: JsonPropertyName("attack")] string Attack,
    [property: JsonPropertyName("sample")] int Sample,
    [property: JsonPropertyName("rank")] int Rank,
    [property: JsonPropertyName("restart")] int Restart,
    [property: JsonPropertyName("fooled")] bool Fooled,
    [property: JsonPropertyName("prediction")] int Prediction,
    [property: JsonPropertyName("norm")] double Norm,
    [property: JsonPropertyName("margin")] double Margin,
    [property: JsonPropertyName("iteration")] int Iteration,
    [property: JsonPropertyName("forwards")] long Forwards,
    [property: JsonPropertyName("backwards")] long Backwards,
    [property: JsonPropertyName("zero_gradients")] long ZeroGradients,
    [property: JsonPropertyName("bad_gradients")] long BadGradients,
    [property: JsonPropertyName("digest")] string Digest)
{
    /// <summary>Column and attack of the clean pass.</summary>
    public const string Clean = "clean";

    /// <summary>The attack's name in a line that was taken over from a smaller radius.</summary>
    public const string Reused = "reused";

    /// <summary>The key of an entry; no two entries have the same.</summary>
    [JsonIgnore]
    public (int, string, int, int, int, int) Key => (Eps, Suite, Stage, Sample, Rank, Restart);

    /// <summary>Whether the part found a point outside ball or box, which is not counted.</summary>
    [JsonIgnore]
    public bool IsInfeasible => !Fooled && Norm != 0;

    /// <summary>The line of an image at a larger radius: misclassified there by the same example of the same part, at no cost.</summary>
    public LedgerEntry TakenOver(int eps) =>
        this with { Eps = eps, Attack = Reused, Forwards = 0, Backwards = 0, ZeroGradients = 0, BadGradients = 0 };
}
