using Rpat.Nn;
using Rpat.Robust.Attacks;
using Rpat.Robust.Evaluation;

namespace Rpat.Samples.Snippets;

/// <summary>An evaluation in a folder, which can be stopped, resumed and verified.</summary>
public static class StoredEvaluation
{
    /// <summary>Measures the robust accuracy at two radii.</summary>
    /// <param name="model">The network's file; for a network in memory any name.</param>
    public static EvaluationReport Run(Classifier net, string model, float[] images, int[] labels, string folder)
    {
        var plan = new EvaluationPlan
        {
            Model = model,
            Data = "sides, the last quarter",
            Norm = Norm.Linf,
            Radii = [new("4/255", 4 / 255.0), new("8/255", 8 / 255.0)],
            SuitesAt = eps => [AttackCatalog.Make("pgd20", Norm.Linf, eps, net.Classes)],
        };
        return new RobustEvaluation(net, plan, images, labels, folder).Run(resume: true);
    }
}
