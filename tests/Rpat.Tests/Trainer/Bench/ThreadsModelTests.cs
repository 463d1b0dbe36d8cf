using Rpat.Trainer.Bench;

namespace Rpat.Tests.Trainer.Bench;

public class ThreadsModelTests
{
    [Theory]
    [InlineData(1, 1, 10)]
    [InlineData(2, 1, 5)] // 4+1 and 2+3
    [InlineData(4, 1, 4)]
    [InlineData(2, 2, 6)] // chunks 4+2 and 3+1
    [InlineData(2, 3, 9)] // chunks 4+2+3 and 1
    [InlineData(64, 1, 4)]
    public void Each_thread_takes_the_next_chunk_when_it_is_free(int threads, int chunk, double span) =>
        Assert.Equal(span, ThreadsModel.SpanOf([4, 2, 3, 1], chunk, threads));

    [Fact]
    public void The_table_names_the_layers_and_does_not_exceed_what_threads_could_do()
    {
        using var host = new TestHost();
        int code = host.Run("bench", "step", "--recipe", "fashion-quick", "--set", "train.batch=8", "--items", "eval-forward",
            "--threads-model", "--rounds", "1");
        Assert.Equal(0, code);
        string text = host.Out;
        Assert.Contains("A model, not a measurement", text);
        Assert.Contains("Conv2d", text);
        var efficiencies = text.Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(parts => parts.Length == 5 && parts[4] == "%")
            .Select(parts => double.Parse(parts[3], CultureInfo.InvariantCulture)).ToArray();
        Assert.Equal(6, efficiencies.Length);
        Assert.Equal(100, efficiencies[0]);
    }
}
