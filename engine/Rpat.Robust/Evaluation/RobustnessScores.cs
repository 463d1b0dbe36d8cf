namespace Rpat.Robust.Evaluation;

/// <summary>The paper's two summaries of a clean and a robust accuracy (methods.md section 6).</summary>
public static class RobustnessScores
{
    /// <summary>(clean + robust)/2.</summary>
    public static double Mean(double clean, double robust) => (clean + robust) / 2;

    /// <summary>Natural-robustness ratio 2·clean·robust/(clean + robust); 0 when both are 0.</summary>
    public static double Nrr(double clean, double robust) => clean + robust == 0 ? 0 : 2 * clean * robust / (clean + robust);

    /// <summary>
    /// The 95 % interval of such a summary of two counts of the same images: its values at the lower and at the upper ends of the counts'
    /// Wilson intervals at 97.5 %, since it increases with both. Like those, its width is not zero at 0 and at 100 %.
    /// </summary>
    /// <param name="score"><see cref="Mean"/> or <see cref="Nrr"/>.</param>
    /// <param name="clean">Images correct without an attack.</param>
    public static (double Low, double High) Interval(Func<double, double, double> score, int clean, int robust, int images)
    {
        WilsonInterval c = WilsonInterval.OneOfTwo(clean, images), r = WilsonInterval.OneOfTwo(robust, images);
        return (score(c.Low, r.Low), score(c.High, r.High));
    }
}
