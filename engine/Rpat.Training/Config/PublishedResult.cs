namespace Rpat.Training.Config;

/// <summary>The published result of a recipe, in percent: a line of published.csv.</summary>
/// <param name="Method">The row's name in its table.</param>
/// <param name="Aa">Accuracy under AutoAttack; NaN when only other attacks were published.</param>
/// <param name="Mean">(clean + aa)/2 as printed.</param>
/// <param name="Nrr">2·clean·aa/(clean + aa) as printed.</param>
internal sealed record PublishedResult(
    string Method, string Venue, string Net, string Data, string Norm, double Clean, double Aa, double Mean, double Nrr, string Source)
{
    private const int Columns = 10;

    /// <summary>All lines.</summary>
    public static IReadOnlyList<PublishedResult> All { get; } =
        [.. RecipeBlocks.Text("published.csv").Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(Read)];

    /// <summary>Which row of which table, such as <c>RPAT++ (ICCV'25), PreActResNet-18, CIFAR-10, Linf 8/255; …</c>.</summary>
    public string Row =>
        $"{Method} ({Venue}), {RecipeBlocks.All[Net].Title}, {RecipeBlocks.All[Data].Title}, {RecipeBlocks.All[Norm].Title}; {Source}";

    // Only the last column may have commas, and then it is quoted.
    private static PublishedResult Read(string line)
    {
        string[] cells = line.Split(',', Columns);
        double[] numbers = [.. cells[5..9].Select(cell => cell.Length == 0 ? double.NaN
            : double.Parse(cell, CultureInfo.InvariantCulture))];
        return new PublishedResult(
            cells[0], cells[1], cells[2], cells[3], cells[4], numbers[0], numbers[1], numbers[2], numbers[3], cells[9].Trim('"'));
    }
}
