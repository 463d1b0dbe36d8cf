namespace Rpat.Tests.Reference;

/// <summary>Loss and gradients of one batch; parameter gradients by name.</summary>
internal sealed record StepResult(double CrossEntropy, double Perception, double Loss, Dictionary<string, double[]> Gradients);

/// <summary>
/// The outer loss of PGD-AT + RPAT on given adversarial examples (methods.md 1.3, 1.5, 2.2):
/// mean CE(z(x′), y) + λ · mean R², three train-mode forwards in the order x′, x̃, x, nothing detached but x′.
/// </summary>
internal static class ReferenceRpatStep
{
    /// <summary>
    /// Evaluates the step and, in <see cref="NormMode.Train"/>, moves the running statistics once per forward. With λ = 0 the
    /// forwards of x̃ and x do not take place, which is PGD-AT.
    /// </summary>
    public static StepResult Evaluate(
        ReferencePreActResNet net, Array4 x, Array4 adversarial, int[] labels, double lambda, double alpha, NormMode mode = NormMode.Train)
    {
        ReferencePreActResNet.Pass b = net.Forward(adversarial, mode);
        double crossEntropy = ReferenceCrossEntropy.Mean(b.Logits, labels);
        Array4 db = ReferenceCrossEntropy.MeanGradient(b.Logits, labels);
        if (lambda == 0) return new StepResult(crossEntropy, 0, crossEntropy, b.Backward(db).Parameters);

        ReferencePreActResNet.Pass u = net.Forward(ReferenceElementwise.Lerp(x, adversarial, alpha), mode);
        ReferencePreActResNet.Pass a = net.Forward(x, mode);
        RpatTerm term = ReferenceRpat.CodeForm(u.Logits, a.Logits, b.Logits, alpha);
        Dictionary<string, double[]> gradients = b.Backward(db.Zip(term.Gradient.Adversarial, (p, q) => p + lambda * q)).Parameters;
        Accumulate(gradients, u.Backward(term.Gradient.Interpolated.Map(value => lambda * value)).Parameters);
        Accumulate(gradients, a.Backward(term.Gradient.Benign.Map(value => lambda * value)).Parameters);
        return new StepResult(crossEntropy, term.Value, crossEntropy + lambda * term.Value, gradients);
    }

    private static void Accumulate(Dictionary<string, double[]> sums, Dictionary<string, double[]> more)
    {
        foreach ((string name, double[] values) in more)
            for (int i = 0; i < values.Length; i++)
                sums[name][i] += values[i];
    }
}
