namespace Rpat.Robust.Evaluation;

/// <summary>The progress of an evaluation.</summary>
/// <param name="Title">What is running, such as <c>aa 8/255: apgd-t</c>.</param>
/// <param name="Done">Images done in this stage.</param>
/// <param name="Images">Images in this stage.</param>
/// <param name="Alive">Images on which no attack has succeeded yet in this column.</param>
/// <param name="Forwards">Evaluations of the network so far, in this process.</param>
/// <param name="CostLeft">Evaluations that the rest will take if all of these survive (a gradient counts as three).</param>
public sealed record EvaluationProgress(string Title, int Done, int Images, int Alive, long Forwards, long CostLeft);
