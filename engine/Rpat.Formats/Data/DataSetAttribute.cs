namespace Rpat.Formats.Data;

/// <summary>A data set of another assembly: a class with a parameterless constructor and a <see cref="DataSetAttribute"/>.</summary>
public interface IDataSet
{
    /// <summary>Reads or makes the images; the same ones each time.</summary>
    /// <param name="folder">Where files are looked for: <c>--data-dir</c>, or the usual place.</param>
    /// <exception cref="DataException">Files are missing or damaged.</exception>
    (LabeledImages Train, LabeledImages Test) Open(string folder);
}

/// <summary>Gives a data set its name: <see cref="Catalog.Register"/> finds every <see cref="IDataSet"/> that has one.</summary>
/// <param name="name">What <c>--data</c> calls it.</param>
public sealed class DataSetAttribute(string name, string title) : DeclarationAttribute, INamed
{
    private Func<object[], IDataSet>? _make;

    /// <inheritdoc/>
    public string Name { get; } = name;

    /// <summary>Its published name.</summary>
    public string Title { get; } = title;

    /// <summary>Channels x height x width of an image.</summary>
    public required string Shape { get; init; }

    /// <summary>Number of classes.</summary>
    public required int Classes { get; init; }

    /// <summary>How many training and test images.</summary>
    public required string Images { get; init; }

    /// <summary>Which files are looked for, and where.</summary>
    public string LookedFor { get; init; } = "made by the program";

    /// <summary>Its licence.</summary>
    public required string Licence { get; init; }

    /// <summary>All registered data sets.</summary>
    public static IReadOnlyList<DataSetAttribute> All => Registered.All;

    /// <inheritdoc/>
    public override Catalog Catalog => Registered;

    private static Catalog<DataSetAttribute> Registered { get; } = new("a data set", []);

    /// <summary>The registered one of that name, or null.</summary>
    public static DataSetAttribute? Find(string name) => Registered.Find(name);

    /// <inheritdoc/>
    public override IEnumerable<INamed> Items(Type type)
    {
        _make = Maker<IDataSet>(type) ?? throw new ArgumentException(
            $"{type} is declared as data set '{Name}': implement {nameof(IDataSet)}, with a public constructor without parameters.");
        yield return this;
    }

    /// <inheritdoc cref="IDataSet.Open"/>
    /// <exception cref="ContractException">The class returns no images.</exception>
    public (LabeledImages Train, LabeledImages Test) Open(string folder)
    {
        var set = _make!([]);
        var (train, test) = set.Open(folder);
        return train is not null && test is not null ? (train, test) : throw new ContractException(set.GetType(),
            $"(data set '{Name}') returns no images: return those to train on and those held out.");
    }
}
