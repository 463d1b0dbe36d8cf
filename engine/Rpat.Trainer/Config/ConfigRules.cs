using Rpat.Robust;
using Rpat.Trainer.Errors;

namespace Rpat.Trainer.Config;

/// <summary>What no single key can check: values that do not fit each other.</summary>
internal static class ConfigRules
{
    /// <summary>Checks a typed configuration.</summary>
    /// <param name="values">Where each value was written, for the sentence.</param>
    /// <exception cref="ConfigException">Two values contradict each other.</exception>
    public static void Check(TrainerConfig config, IReadOnlyDictionary<string, Entry> values)
    {
        void Require(bool holds, Leaf key, string sentence)
        {
            var entry = values[key.Path];
            if (!holds) throw new ConfigException($"{key.Path} is '{entry.Text}' ({entry.Origin}): {sentence}");
        }

        Require(
            config.Attack.Norm != AttackNorm.Linf || config.Attack.Eps <= 1, Keys.Eps,
            "images lie in [0,1], so a linf perturbation is at most 1.");
        Require(
            config.Method.Rpat is not { Form: RpatForm.Quotient, Alpha: 0 or 1 }, Keys.RpatAlpha,
            "the quotient form divides by alpha and 1 - alpha: choose one strictly between 0 and 1, or method.rpat.form=code.");
        Require(
            config.Model.Mean.Count == config.Model.Std.Count, Keys.ModelMean,
            $"model.std has {config.Model.Std.Count} values: give one mean and one deviation for each channel, or neither.");
        Require(Ascending(config.Schedule.Milestones), Keys.Milestones, "milestones must rise.");
        RequireSettings(config.Method, values);
        var method = MethodCatalog.Find(config.Method.Name)!;
        Require(
            config.Data.Augment.CutMix == 0 || !method.NeedsOneClass, Keys.DataCutMix,
            $"{method.Name} needs one true class for each image: set it to 0, or choose another method.");
        Require(
            config.Average.Ema == 0 || !method.LooksAtAverage, Keys.Ema,
            $"the loss of {method.Name} looks at its own averaged network: set it to 0, and method.decay instead.");
        Require(
            config.Average.Swa == 0 || !method.LooksAtAverage, Keys.Swa,
            $"the loss of {method.Name} looks at its own averaged network, which moves in each step: set it to 0.");
        Require(config.Average.Ema == 0 || config.Average.Swa == 0, Keys.Swa, "weights are averaged by step or by epoch: set average.ema or average.swa to 0.");
        Require(config.Average.Ema < 1, Keys.Ema, "averaged weights with a decay of 1 never move: choose less, such as 0.999.");
        Require(
            !config.Optimizer.Nesterov || config.Optimizer.Momentum > 0, Keys.Nesterov,
            "it needs a momentum above 0: set optimizer.momentum.");
        Require(
            config.Eval.Attacks.DistinctBy(attack => attack.Name).Count() == config.Eval.Attacks.Count, Keys.EvalAttacks,
            "an attack stands twice: remove one.");
        Require(config.Run.Out.Length > 0, Keys.Out, "it must name a folder.");
    }

    private static void RequireSettings(MethodSection method, IReadOnlyDictionary<string, Entry> values)
    {
        var info = MethodCatalog.Find(method.Name)!;
        foreach (var (name, text) in method.Settings)
        {
            try
            {
                _ = new MethodSettings(info, new Dictionary<string, string> { [name] = text });
            }
            catch (ArgumentException error)
            {
                throw new ConfigException($"{error.Message.TrimEnd('.')} ({values[$"method.{name}"].Origin}); see 'rpat methods show {info.Name}'.", error);
            }
        }
    }

    private static bool Ascending(IReadOnlyList<int> values) => values.Zip(values.Skip(1)).All(pair => pair.First < pair.Second);
}
