namespace Rpat.Robust.Attacks;

/// <summary>
/// Attacks in turn, each on the images that all before it have left: one column of a result. The images are always attacked from
/// scratch, never from another attack's output (attacks.md 2.1).
/// </summary>
/// <param name="Name">Name in options and reports, such as <c>pgd20</c> or <c>aa</c>.</param>
/// <param name="Label">What was run in words that cannot be mistaken, such as <c>aa-standard(K=5, adapted)</c>.</param>
/// <param name="Attacks">The attacks, in order.</param>
public sealed record AttackSuite(string Name, string Label, IReadOnlyList<Attack> Attacks)
{
    /// <summary>A suite of a single attack; its label tells the settings where they are not those that the
    /// catalog means by the attack's name.</summary>
    public static AttackSuite Of(string name, Attack attack) => new(name, AttackCatalog.LabelOf(attack), [attack]);

    /// <summary>
    /// Passes over the image that an attack returns, of which more than half must be wrong before it counts as fooled. One, as in the
    /// reference, unless a column of one's own asks for a majority of several because its model is random.
    /// </summary>
    public int SuccessPasses { get; init; } = 1;

    /// <summary>
    /// Whether each attack on a random model first makes a pass of its own over the image and leaves one that looks wrong in it, which the
    /// deciding pass alone then judges. The reference's attacks do, which makes a noisy model look more robust.
    /// </summary>
    public bool LooksFirst { get; init; }
}
