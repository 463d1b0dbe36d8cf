using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>Ordinary training: CE(z(x), y).</summary>
public sealed record Clean : Objective, IMethod
{
    /// <inheritdoc/>
    public static IReadOnlyList<MethodInfo> Methods { get; } =
    [
        new("clean", "ordinary training on clean images", "methods.md 5, M1",
            new("none", "CE(x)"),
            static (_, _) => new Clean())
        {
            Assumed = Assumptions.Motivation,
            TakesRpat = false,
        },
    ];

    /// <inheritdoc/>
    public override string Name => "clean";

    /// <inheritdoc/>
    public override PgdOptions? Attack => null;

    /// <inheritdoc/>
    public override Loss Loss(Views v) => v.CrossEntropy(v.Clean);
}
