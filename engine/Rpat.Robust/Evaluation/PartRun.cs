namespace Rpat.Robust.Evaluation;

/// <summary>One part of one attack on one image, judged: a line of the ledger and its adversarial image.</summary>
/// <param name="Point">The adversarial image of a successful line, else null.</param>
internal sealed record PartRun(LedgerEntry Entry, float[]? Point)
{
    /// <summary>Runs a part.</summary>
    /// <param name="s">The image; its clean logits must be set.</param>
    /// <param name="at">Radius, stage, image and part, as a line without results.</param>
    public static async Task<PartRun> Of(Subject s, AttackSuite suite, LedgerEntry at)
    {
        var attack = suite.Attacks[at.Stage];
        var part = new AttackPart(at.Rank, at.Restart);
        var before = (s.Forwards, s.Backwards, s.ZeroGradients, s.BadGradients);
        s.Enter(attack, part);
        var result = await LooksWrong(s, suite, at.Stage) ? new AttackResult(s.Image, false, 0, -1)
            : await AttackRunner.Attempt(attack, s, part);
        var entry = at with
        {
            Iteration = result.Iteration,
            Forwards = s.Forwards - before.Forwards,
            Backwards = s.Backwards - before.Backwards,
            ZeroGradients = s.ZeroGradients - before.ZeroGradients,
            BadGradients = s.BadGradients - before.BadGradients,
        };
        // If a random model never misclassified an iterate, a pass over the image itself decides: after each part, where the reference
        // does so once per attack (attacks.md 2.1).
        float[]? point = result.Fooled ? result.Point : s.IsRandom ? s.Image : null;
        if (point is not null) entry = await Judged(entry, s, point, attack, suite.SuccessPasses);
        return new PartRun(entry, entry.Fooled ? point : null);
    }

    // A pass numbered after the deciding ones: the same for all parts of an attack.
    private static async Task<bool> LooksWrong(Subject s, AttackSuite suite, int stage) =>
        suite.LooksFirst && s.IsRandom && s.Succeeds((await s.Decision(s.Image, stage, default, suite.SuccessPasses)).Logits);

    /// <summary>The line of a part that is still to be run.</summary>
    public static LedgerEntry Unrun(int eps, AttackSuite suite, int stage, int sample, AttackPart part) =>
        new(eps, suite.Name, stage, suite.Attacks[stage].Name, sample, part.Rank, part.Restart, false, -1, 0, 0, -1, 0, 0, 0, 0, "");

    /// <summary>The line with the verdict on a point: it counts when it lies in ball and box and most passes misclassify it.</summary>
    private static async Task<LedgerEntry> Judged(LedgerEntry entry, Subject s, float[] point, Attack attack, int passes)
    {
        double norm = attack.Norm.Distance(point, s.Image);
        if (!attack.Norm.Holds(s.Image, point, attack.Eps)) return entry with { Norm = norm };
        int wrong = 0;
        float[] fooling = [];
        for (int pass = 0; pass < passes; pass++)
        {
            float[] z = (await s.Decision(point, entry.Stage, new AttackPart(entry.Rank, entry.Restart), pass)).Logits;
            if (!s.Succeeds(z)) continue;
            wrong++;
            fooling = z;
        }
        return 2 * wrong <= passes ? entry
            : entry with { Fooled = true, Prediction = Predictions.ArgMax(fooling), Margin = s.Margin(fooling), Norm = norm };
    }
}
