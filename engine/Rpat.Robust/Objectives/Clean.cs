using Rpat.Engine;

namespace Rpat.Robust;

/// <summary>Ordinary training: CE(z(x), y).</summary>
public sealed record Clean : Objective
{
    /// <inheritdoc/>
    public override string Name => "clean";

    /// <inheritdoc/>
    public override PgdOptions? Attack => null;

    /// <inheritdoc/>
    public override Loss Loss(Views v) => v.CrossEntropy(v.Clean);
}
