namespace Rpat.Robust;

/// <summary>
/// Attacks in turn, each on the images that all before it have left: one column of a result. The images are always attacked from
/// scratch, never from another attack's output (attacks.md 2.1).
/// </summary>
/// <param name="Name">Name in options and reports, such as <c>pgd20</c> or <c>aa</c>.</param>
/// <param name="Label">What was run in words that cannot be mistaken, such as <c>aa-standard(K=5, adapted)</c>.</param>
/// <param name="Attacks">The attacks, in order.</param>
public sealed record AttackSuite(string Name, string Label, IReadOnlyList<Attack> Attacks)
{
    /// <summary>A suite of a single attack.</summary>
    public static AttackSuite Of(string name, Attack attack) => new(name, attack.Name, [attack]);

    /// <summary>
    /// Passes in which more than half must be wrong before an image counts as fooled; more than one where the model is random, since one
    /// pass in which noise alone tips the scale is no success.
    /// </summary>
    public int SuccessPasses { get; init; } = 1;
}
