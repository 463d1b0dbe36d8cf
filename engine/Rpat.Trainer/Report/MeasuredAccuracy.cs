namespace Rpat.Trainer.Report;

/// <summary>One accuracy with everything that must be shown with it.</summary>
/// <param name="Attack">What was done to the images: <c>Clean</c>, <c>PGD-20</c>.</param>
/// <param name="Threat">Norm and radius; empty for clean images.</param>
/// <param name="Depth">0 for a result; 1 for what one attack of a column left.</param>
internal sealed record MeasuredAccuracy(string Attack, string Threat, int Correct, int Images, string Source, int Depth = 0)
{
    /// <summary>What must be equal for two accuracies to be compared: <c>1000 images of cifar10, linf eps 8/255</c>.</summary>
    public string Conditions { get; init; } = "";

    /// <summary>The file of the run that was measured, if that is not its network.</summary>
    public string OtherFile { get; init; } = "";

    /// <summary>The share of 1.</summary>
    public double Value => Images == 0 ? 0 : (double)Correct / Images;

    /// <summary>The confidence interval that this number of images gives.</summary>
    public WilsonInterval Interval => WilsonInterval.Of(Correct, Images);

    /// <summary>Whether no attack was made.</summary>
    public bool IsClean => Threat.Length == 0;
}
