using Rpat.Robust.Settings;

namespace Rpat.Robust.Modifiers;

/// <summary>
/// The two training-mode forwards of ReBAT's script that are not part of the loss: one scores the attack's end, one logs clean accuracy.
/// </summary>
public sealed record OfficialForwards : Modifier
{
    /// <summary>Whether they are executed.</summary>
    [Setting("also make the official code's scoring and logging forwards, which move running statistics and nothing else; "
        + "true is the faithful setting",
        Source = "own choice: without them (methods.md section 8, number 9)")]
    public bool LogClean { get; init; }

    /// <inheritdoc/>
    public override Objective On(Objective method) =>
        LogClean ? method with { Quirks = method.Quirks | ReferenceQuirks.ScoredEnd | ReferenceQuirks.LoggedClean } : method;
}
