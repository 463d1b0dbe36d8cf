using Rpat.Engine.Autograd;
using Rpat.Engine.Ops;
using Rpat.Robust.Attacks;
using Rpat.Robust.Methods;
using Rpat.Robust.Objectives;
using Rpat.Robust.Settings;

namespace Rpat.Samples.Extensions;

/// <summary>Adversarial logit pairing (Kannan et al., 2018) on top of any method that attacks: its
/// loss + weight·mean_k (z(x′) − z(x))².</summary>
public sealed record LogitPairing : Modifier
{
    [Setting("weight of the pairing term", Source = "own choice")]
    public float Weight { get; init; } = 0.5f;

    public override bool Acts(Objective method, int epoch) => Weight != 0 && method.Attack is not null;

    public override Func<ViewLogits, Loss> Extend(Objective method, Func<ViewLogits, Loss> loss) =>
        v => loss(v) + Weight * v.Tape.RowLoss("pairing", new SquaredDifference(), v.Adversarial, new() { Second = v.Clean });
}

/// <summary>Named methods with the modifier on top.</summary>
[Combinations]
public static class Combinations
{
    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new(new("alp", "PGD-AT with logit pairing", "Kannan et al., 2018")
            { Attack = "A on CE", Terms = "CE(x') + weight mean (z(x') - z(x))^2" },
            pgd => new PgdAt(pgd), () => [new LogitPairing()])
        { Assumed = [] },
    ];
}
