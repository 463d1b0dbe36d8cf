namespace Rpat.Robust;

/// <summary>The paper's two summaries of a clean and a robust accuracy (methods.md section 6).</summary>
public static class RobustnessScores
{
    /// <summary>(clean + robust)/2.</summary>
    public static double Mean(double clean, double robust) => (clean + robust) / 2;

    /// <summary>Natural-robustness ratio 2·clean·robust/(clean + robust); 0 when both are 0.</summary>
    public static double Nrr(double clean, double robust) => clean + robust == 0 ? 0 : 2 * clean * robust / (clean + robust);
}
