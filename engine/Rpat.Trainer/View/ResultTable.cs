namespace Rpat.Trainer.View;

/// <summary>The final table: one column per accuracy, then Mean and NRR if there is a clean and an attacked accuracy.</summary>
internal static class ResultTable
{
    private const int ColumnWidth = 9;

    /// <summary>Prints the table in percent, and below it what it was measured on.</summary>
    public static void Write(EvaluationResult result, TextWriter output)
    {
        var columns = result.Columns();
        static int Width(string title) => Math.Max(ColumnWidth, title.Length + 2);
        output.WriteLine(string.Concat(columns.Select(column => column.Title.PadLeft(Width(column.Title)))));
        output.WriteLine(string.Concat(columns.Select(column => Format.Percent(column.Value).PadLeft(Width(column.Title)))));
        string network = result.Network.Length == 0 ? "" : result.Network + ", ";
        output.WriteLine(FormattableString.Invariant($"  {network}on {result.Images} held-out images, {result.Threat}, in percent"));
    }
}
