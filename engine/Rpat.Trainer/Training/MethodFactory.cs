using Rpat.Engine;
using Rpat.Models;
using Rpat.Robust;
using Rpat.Robust.Losses;
using Rpat.Trainer.Config;
using Rpat.Trainer.Errors;
using Rpat.Trainer.Weights;

namespace Rpat.Trainer.Training;

/// <summary>The method that a configuration names, with what the configuration puts on top of it, and the networks that it needs.</summary>
internal static class MethodFactory
{
    /// <summary>Makes the method.</summary>
    /// <exception cref="ConfigException">What it needs is not given.</exception>
    public static Objective Make(TrainerConfig config)
    {
        var (method, info) = (config.Method, MethodCatalog.Find(config.Method.Name)!);
        var objective = MethodCatalog.Make(method.Name, method.Settings, Pgd(config.Attack));
        if (info.WantsWeights && config.Model.Weights.Length == 0 && objective.InEpoch(1) is not Clean)
            throw new ConfigException($"{info.Name} starts from a network trained on clean images: give its run folder as model.weights, or epochs as method.warmup.");
        if (method.AwpGamma > 0) objective = objective with { Awp = new WeightPerturbation((float)method.AwpGamma, method.AwpStart) };
        if (Averaging(config.Average) is { } average) objective = objective with { Average = average };
        if (method.Rpat is not { } rpat) return objective;
        var form = rpat.Form == RpatForm.Code ? PerceptionForm.Residual : PerceptionForm.DifferenceQuotient;
        return new RpatObjective(objective, (float)rpat.Weight, (float)rpat.Alpha, form, rpat.Start);
    }

    /// <summary>The networks beside the trained one; teachers are read from their files.</summary>
    /// <exception cref="ConfigException">A teacher is not given.</exception>
    public static Companions Companions(MethodSection method, Device device, ModelSpec model, ulong seed) => new()
    {
        Twin = () => ModelCatalog.Build(device, model, seed),
        Teachers = MethodCatalog.Find(method.Name)!.Teachers.ToDictionary(name => name, name => GivenWeights.Teacher(name, method, device, model)),
    };

    /// <summary>The training attack under the run's threat model; what is left to the method stays open.</summary>
    public static PgdOptions Pgd(AttackSection a)
    {
        var options = new PgdOptions
        {
            Norm = a.Norm == AttackNorm.Linf ? Norm.Linf : Norm.L2,
            Eps = (float)a.Eps,
            StepSize = (float)a.Step,
            Steps = a.Steps,
            Restarts = a.Restarts,
        };
        if (a.Start != AttackStart.Auto) options = options with { Start = Start(a.Start) };
        return a.BatchNorm == AttackBatchNorm.Auto ? options : options with { Bn = Bn(a.BatchNorm) };
    }

    private static PgdStart Start(AttackStart start) => start switch
    {
        AttackStart.Gaussian => PgdStart.Gaussian,
        AttackStart.Direction => PgdStart.Direction,
        AttackStart.Zero => PgdStart.Image,
        _ => PgdStart.Ball,
    };

    private static BnMode Bn(AttackBatchNorm mode) => mode switch
    {
        AttackBatchNorm.Train => BnMode.Train,
        AttackBatchNorm.Frozen => BnMode.TrainFrozen,
        _ => BnMode.Eval,
    };

    private static Averaging? Averaging(AverageSection a) => (a.Ema, a.Swa) switch
    {
        ( > 0, _) => new EmaAveraging((float)a.Ema, a.Start) { Report = a.Report },
        (_, > 0) => new SwaAveraging(a.Swa) { Report = a.Report },
        _ => null,
    };
}
