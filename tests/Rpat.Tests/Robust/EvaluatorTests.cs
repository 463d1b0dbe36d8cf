using Rpat.Tests.Robust.Attacks;

namespace Rpat.Tests.Robust;

/// <summary>The evaluator of training counts what an evaluation in a folder counts: there is one meaning of an attack's name.</summary>
public sealed class EvaluatorTests : IDisposable
{
    private readonly Device _device = Device.Cpu(1);

    public void Dispose() => _device.Dispose();

    [Theory]
    [InlineData("linf", 0.02, "pgd3")]
    [InlineData("l2", 0.25, "pgd3")]
    [InlineData("linf", 0.02, "fgsm")]
    [InlineData("linf", 0.02, "cw4")]
    [InlineData("l2", 0.25, "deepfool")]
    [InlineData("linf", 0.02, "apgd-ce")]
    public void It_counts_as_an_evaluation_in_a_folder_does(string norm, double eps, string attack)
    {
        var folder = Directory.CreateTempSubdirectory("rpat-evaluator-");
        try
        {
            var fixture = Fixture.R(_device);
            var (net, images) = (fixture.Net, Images(fixture));
            var suite = AttackCatalog.Find(attack, Norm.Parse(norm), eps, net.Classes)!;
            var plan = Plan(Norm.Parse(norm), eps, suite);
            var report = new RobustEvaluation(net, plan, fixture.Images, images.Labels, folder.FullName)
            { SkipSelfTest = true }.Run(resume: false);
            var evaluator = new Evaluator(net, 7);
            Assert.Equal(report.CleanCorrect, evaluator.Run(images).Correct);
            Assert.Equal(report.Columns[0].Robust, evaluator.Run(images, suite, seed: 5).Correct);
            Assert.InRange(report.Columns[0].Robust, 0, report.CleanCorrect - 1);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Square's windows are of the images, which a net may take as rows.</summary>
    [Fact]
    public void A_net_of_rows_is_attacked_with_the_images_size()
    {
        var folder = Directory.CreateTempSubdirectory("rpat-evaluator-");
        try
        {
            var fixture = Fixture.L(_device);
            var (weight, bias) = (fixture.Net.Parameters.Parameters[0], fixture.Net.Parameters.Parameters[1]);
            var net = new LinearNet(_device, [.. weight.ToArray().Select(v => (double)v)], [.. bias.ToArray().Select(v => (double)v)]);
            var images = Images(fixture);
            var suite = new AttackSuite("square", "square", [new Square { Eps = 0.03, Steps = 40 }]);
            var plan = Plan(Norm.Linf, 0.03, suite);
            var report = new RobustEvaluation(net, plan, fixture.Images, images.Labels, folder.FullName, Fixture.Image)
            { SkipSelfTest = true }.Run(resume: false);
            Assert.Equal(report.Columns[0].Robust, new Evaluator(net, 7).Run(images, suite, seed: 5).Correct);
            Assert.InRange(report.Columns[0].Robust, 1, report.CleanCorrect - 1);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_network_that_answers_NaN_is_wrong_everywhere()
    {
        var net = new DenseNet(_device, Fixture.Image, [new(new double[10 * 192], [double.NaN, .. new double[9]])]);
        var images = Images(Fixture.R(_device));
        Assert.Equal(new Accuracy(0, images.Count), new Evaluator(net).Run(images, AttackCatalog.Find("pgd2", Norm.Linf, 0.1, 10)));
    }

    private static EvaluationPlan Plan(Norm norm, double eps, AttackSuite suite) => new()
    {
        Norm = norm,
        Radii = [new Radius("eps", eps)],
        Batch = 64,
        Seed = 5,
        Model = "net",
        ModelHash = "net",
        Data = "made",
        SuitesAt = _ => [suite],
    };

    // One of four has another class than the net sees.
    private static LabeledImages Images(Fixture f) => new(
        "made", 3, 8, 8, Array.ConvertAll(f.Images, value => (byte)(255 * value)),
        [.. f.Labels.Select((label, i) => i % 4 == 0 ? (label + 1) % 10 : label)],
        [.. "abcdefghij".Select(letter => letter.ToString())], f.Images);
}
