using Rpat.Robust.Methods;
using Rpat.Robust.Settings;

namespace Rpat.Tests.Robust;

/// <summary>Every number that a method declares, at the bounds of its declaration: a step is made, and its loss is a number.</summary>
public class SettingBoundsTests
{
    public static TheoryData<string> Names => [.. MethodCatalog.All.Select(method => method.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_step_at_the_bounds_has_a_finite_loss(string name)
    {
        var method = MethodCatalog.Find(name)!;
        foreach (var setting in method.Settings.Where(setting => setting.IsNumber))
        {
            Assert.InRange(double.Parse(setting.Default.Split('/')[0], System.Globalization.CultureInfo.InvariantCulture), setting.Min,
                double.MaxValue);
            foreach (double value in new[] { setting.Min, setting.Max }) Step(method, setting, Numbers.Text(value));
            Assert.Throws<ArgumentException>(() => Make(method, setting.Name, Numbers.Text(2 * setting.Max + 1)));
            Assert.Throws<ArgumentException>(() => Make(method, setting.Name, Numbers.Text(setting.Min - 1)));
        }
    }

    private static Objective Make(MethodInfo method, string setting, string text)
    {
        var given = method.Settings.Where(s => s.Without.Length > 0 && s.Name != setting && s.Min == 1).ToDictionary(s => s.Name, _ => "1");
        given[setting] = text;
        return method.Make(given, PgdOptions.Linf with { Steps = 1 });
    }

    private static void Step(MethodInfo method, Setting setting, string text)
    {
        using var device = Device.Cpu(1);
        var (_, step) = MethodTests.Make(device, Make(method, setting.Name, text));
        int n = step.TwoViews ? 4 : 2;
        step.Run(
            new TrainingBatch { Images = TestNets.Images(n, seed: 1), Labels = TestNets.ClassesOf(2), Samples = TestNets.Indices(2) },
            new StepContext(1, 0, 10, 0.01f, 0.01f));
        Assert.True(double.IsFinite(step.Loss.Read()), $"{method.Name} with {setting.Name} = {text} has a loss of {step.Loss.Read()}");
    }
}
