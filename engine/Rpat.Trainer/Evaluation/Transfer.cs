using Rpat.Robust.Attacks;

namespace Rpat.Trainer.Evaluation;

/// <summary>Adversarial images of a surrogate, each tried on the network: one query of it, and no gradient.</summary>
/// <param name="By">The attack that made them.</param>
/// <param name="Surrogate">SHA-256 of the surrogate's file.</param>
/// <param name="Images">The images <c>[C·H·W]</c>, by the index of their originals.</param>
internal sealed record Transfer(string By, string Surrogate, IReadOnlyList<float[]> Images) : Attack
{
    /// <inheritdoc/>
    public override string Name => NameOf(By);

    /// <inheritdoc/>
    public override string Settings => $"by={By} surrogate={Surrogate}";

    /// <summary>The name of what an attack's images are tried by.</summary>
    public static string NameOf(string attack) => $"{attack}-transfer";

    /// <inheritdoc/>
    public override long Cost(int classes) => 1;

    /// <inheritdoc/>
    protected override async Task<AttackResult> Run(Subject subject, AttackPart part)
    {
        float[] point = Images[(int)subject.Index], logits = (await subject.Logits(point)).Logits;
        return new AttackResult(point, subject.Succeeds(logits), -subject.Margin(logits), 0);
    }
}
