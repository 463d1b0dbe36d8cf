namespace Rpat.Robust.Attacks;

/// <summary>
/// Attacks in sequence, each on the images that survived all before it: one column of a result. The images are always attacked from
/// scratch, never from another attack's output (attacks.md 2.1).
/// </summary>
/// <param name="Name">Name in options and reports, such as <c>pgd20</c> or <c>aa</c>.</param>
/// <param name="Label">An unambiguous description of what was run, such as <c>aa-standard(K=5, adapted)</c>.</param>
/// <param name="Attacks">The attacks, in order.</param>
public sealed record AttackSuite(string Name, string Label, IReadOnlyList<Attack> Attacks)
{
    /// <summary>A suite of a single attack; its label has the settings if they differ from the catalog's under the attack's name.</summary>
    public static AttackSuite Of(string name, Attack attack) => new(name, AttackCatalog.LabelOf(attack), [attack]);

    /// <summary>
    /// Passes over the image that an attack returns; more than half must misclassify it for the attack to succeed. One, as in the
    /// reference, unless your own column requires a majority of several because its model is random.
    /// </summary>
    public int SuccessPasses { get; init; } = 1;

    /// <summary>
    /// Whether each attack on a random model first makes its own pass over the image and skips one that is misclassified in it; then the
    /// deciding pass alone judges the image. The reference's attacks do, which makes a noisy model look more robust.
    /// </summary>
    public bool LooksFirst { get; init; }

    /// <summary>Classes that the attacks were chosen for; 0 if they suit any number.</summary>
    internal int Classes { get; init; }

    /// <exception cref="ArgumentException">A suite or one of its attacks is null, it is for another number of classes, or a radius or step
    /// is not in pixel units.</exception>
    internal static AttackSuite Checked(AttackSuite? suite, Shape image, int classes)
    {
        if (suite is null || suite.Attacks.Contains(null!))
            throw new ArgumentException("A suite or one of its attacks is null: make it by AttackCatalog.Make.");
        foreach (var attack in suite.Attacks) attack.Check(image);
        return suite.Classes == 0 || suite.Classes == classes ? suite : throw new ArgumentException(
            $"{suite.Label} is for {suite.Classes} classes, and the network has {classes}: make it with net.Classes.");
    }
}
