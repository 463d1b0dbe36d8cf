namespace Rpat.Training.Data;

/// <summary>
/// A data set in one .npz file: <c>images</c> and <c>labels</c>, and for a held-out part <c>test_images</c> and <c>test_labels</c>. Images
/// are U8, or floats in [0, 1]; [N, C, H, W], [N, H, W, C] or [N, H, W], with 1 or 3 channels. <c>class_names</c>, U8, may hold the
/// classes' names in UTF-8, one per line, and <c>notes</c> what a run on the set must report about it.
/// </summary>
internal static class NpzSet
{
    internal const string Prefix = "npz:";

    private const string ClassNames = "class_names";
    private const string Notes = "notes";
    private const int MaxNotes = 10;
    private const int MaxNote = 300;
    private const int MaxClasses = 100_000;

    private const long MostText = 16 << 20;
    private const long MostLabels = 512 << 20;

    /// <summary>Opens a file.</summary>
    /// <exception cref="DataException">The file is missing or damaged, or lacks an array, or one has a wrong type or shape.</exception>
    internal static DataPair Open(string path)
    {
        List<string> notes = [];
        IReadOnlyDictionary<string, NamedArray> arrays = Npz.Read(path, MostBytes, (name, type) => notes.Add(Unread(path, name, type)));
        bool heldOut = arrays.ContainsKey("test_images") || arrays.ContainsKey("test_labels");
        string[] lasting = [.. NotesOf(arrays.GetValueOrDefault(Notes))];
        notes.AddRange(lasting);
        (Pixels trainPixels, int[] trainLabels) = Part(path, arrays, "", notes);
        (Pixels testPixels, int[] testLabels) = heldOut ? Part(path, arrays, "test_", notes) : (trainPixels, trainLabels);
        if (!heldOut)
            notes.Add($"'{path}' has no test_images: its images serve for training and testing, so accuracy is not held-out accuracy.");
        string[] classes = Classes(path, trainLabels, testLabels, arrays.GetValueOrDefault(ClassNames));
        LabeledImages train = Set(path, trainPixels, trainLabels, classes);
        return new(train, heldOut ? Set(path, testPixels, testLabels, classes) : train, path, notes) { Lasting = lasting };
    }

    /// <summary>Writes a set in this form, with those notes that are about its images.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    internal static void Write(string path, DataPair pair)
    {
        List<NamedArray> arrays = [.. Arrays("", pair.Train)];
        if (!ReferenceEquals(pair.Train, pair.Test)) arrays.AddRange(Arrays("test_", pair.Test));
        arrays.Add(Lines(ClassNames, pair.Train.ClassNames));
        if (pair.Lasting.Count > 0) arrays.Add(Lines(Notes, pair.Lasting));
        Npz.Write(path, arrays);
    }

    // Other contents of a file are not unpacked.
    private static long MostBytes(string name) => name switch
    {
        "images" or "test_images" => long.MaxValue,
        "labels" or "test_labels" => MostLabels,
        ClassNames or Notes => MostText,
        _ => 0,
    };

    private static string Unread(string path, string name, string type) => name is ClassNames or Notes
        ? $"'{name}' in '{path}' holds elements of type '{type}', which are not read: save its lines as one text in UTF-8, as bytes."
        : throw new DataException(
        $"'{name}' in '{path}' holds elements of type '{type}', which are not read: save it as a plain array of numbers.");

    private static NamedArray Lines(string name, IEnumerable<string> lines)
    {
        byte[] text = Encoding.UTF8.GetBytes(string.Join('\n', lines));
        return new NamedArray(name, ElementType.U8, [text.Length], text);
    }

    // They are printed, so they must be few, short and without control characters.
    private static IEnumerable<string> NotesOf(NamedArray? notes) => notes is not { Type: ElementType.U8 }
        ? []
        : Encoding.UTF8.GetString(notes.Data.Span).Split('\n').Take(MaxNotes)
            .Select(note => string.Concat(note.Where(c => !char.IsControl(c)).Take(MaxNote)).Trim())
            .Where(note => note.Length > 0);

    private static IEnumerable<NamedArray> Arrays(string prefix, LabeledImages set)
    {
        long[] shape = [set.Count, set.Channels, set.Height, set.Width];
        return
        [
            set.HasFloats ? NamedArray.FromFloats(prefix + "images", Floats(set), shape)
                : new(prefix + "images", ElementType.U8, shape, set.Pixels),
            NamedArray.FromInt64(prefix + "labels", Array.ConvertAll(set.Labels, label => (long)label), set.Count),
        ];
    }

    private static float[] Floats(LabeledImages set)
    {
        var values = new float[set.Pixels.Length];
        set.CopyFloats([.. Enumerable.Range(0, set.Count)], values);
        return values;
    }

    private static LabeledImages Set(string path, Pixels pixels, int[] labels, string[] classes) => new(
        Path.GetFileNameWithoutExtension(path), pixels.Channels, pixels.Height, pixels.Width, pixels.Values, labels, classes, pixels.Exact);

    private static (Pixels Pixels, int[] Labels) Part(
        string path, IReadOnlyDictionary<string, NamedArray> arrays, string prefix, List<string> notes)
    {
        NamedArray images = Find(path, arrays, prefix + "images"), labels = Find(path, arrays, prefix + "labels");
        return (ReadPixels(path, images, notes), ReadLabels(path, labels, images));
    }

    private static NamedArray Find(string path, IReadOnlyDictionary<string, NamedArray> arrays, string name) =>
        arrays.TryGetValue(name, out NamedArray? array)
            ? array
            : throw new DataException($"'{path}' has no array '{name}': save it with numpy.savez(path, images=..., labels=...).");

    private static int[] ReadLabels(string path, NamedArray labels, NamedArray images)
    {
        if (labels.Shape is not ([_] or [_, 1]) || labels.Shape[0] != images.Shape[0] || IsFloat(labels.Type))
            throw Error(path, labels, $"one integer for each of {images.Shape[0]} images");
        long[] values = labels.ToInt64();
        int wrong = Array.FindIndex(values, value => value is < 0 or >= MaxClasses);
        if (wrong >= 0)
            throw new DataException($"'{labels.Name}' in '{path}' has label {values[wrong]} at image {wrong}: number the classes from 0.");
        return Array.ConvertAll(values, value => (int)value);
    }

    private static string[] Classes(string path, int[] train, int[] test, NamedArray? names)
    {
        int count = train.Concat(test).Append(-1).Max() + 1;
        if (names is { Type: ElementType.U8 })
        {
            string text = Encoding.UTF8.GetString(names.Data.Span).ReplaceLineEndings("\n");
            string[] lines = (text.EndsWith('\n') ? text[..^1] : text).Split('\n');
            if (lines.Length < count)
                throw new DataException($"'{path}' names {lines.Length} classes and has label {count - 1}: name every class.");
            return lines;
        }

        return [.. Enumerable.Range(0, count).Select(label => label.ToString(CultureInfo.InvariantCulture))];
    }

    private static Pixels ReadPixels(string path, NamedArray images, List<string> notes)
    {
        (int channels, int height, int width, bool channelsLast) = Layout(path, images);
        float[]? exact = null;
        byte[] values = images.Type == ElementType.U8 ? images.Data.ToArray() : ToBytes(path, images, notes, out exact);
        if (!channelsLast || channels == 1) return new Pixels(channels, height, width, values, exact);
        return new Pixels(
            channels, height, width, PlanesFirst(values, height * width, channels),
            exact is null ? null : PlanesFirst(exact, height * width, channels));
    }

    private static (int Channels, int Height, int Width, bool ChannelsLast) Layout(string path, NamedArray images)
    {
        const string expected = "[N, C, H, W], [N, H, W, C] or [N, H, W] with 1 or 3 channels";
        if (images.Shape is [_, long rows, long columns] && rows is > 0 and <= 4096 && columns is > 0 and <= 4096)
            return (1, (int)rows, (int)columns, false);
        if (images.Shape is not [_, > 0 and <= 4096, > 0 and <= 4096, > 0 and <= 4096]) throw Error(path, images, expected);
        bool first = images.Shape[1] is 1 or 3, last = images.Shape[3] is 1 or 3;
        if (first == last && images.Shape is not [_, 1, 1, 1]) throw Error(path, images, expected + ", told apart by the sizes");
        int[] sizes = Array.ConvertAll(images.Shape, size => (int)size);
        return first ? (sizes[1], sizes[2], sizes[3], false) : (sizes[3], sizes[1], sizes[2], true);
    }

    private static byte[] ToBytes(string path, NamedArray images, List<string> notes, out float[]? exact)
    {
        if (!IsFloat(images.Type)) throw Error(path, images, "8-bit integers, or floats from 0 to 1");
        float[] floats = images.ToFloats();
        int wrong = PixelRange.FirstOutside(floats);
        if (wrong >= 0)
            throw new DataException(FormattableString.Invariant(
                $"'{images.Name}' in '{path}' holds {floats[wrong]} in image {wrong / (floats.Length / images.Shape[0])} where 0 to 1 is expected: {PixelRange.Advice(floats[wrong])}."));
        floats = Array.ConvertAll(floats, value => Math.Clamp(value, 0, 1));
        byte[] bytes = PixelRange.ToBytes(floats, out float change);
        exact = change > LabeledImages.ExactWithin ? floats : null;
        if (exact is not null)
            notes.Add(FormattableString.Invariant(
                $"'{images.Name}' in '{path}' are no 8-bit pixels: augmentation rounds them, by up to {change:0.0000}, and all else takes them as they are."));
        return bytes;
    }

    private static bool IsFloat(ElementType type) => type is ElementType.F16 or ElementType.F32 or ElementType.F64;

    // [N, pixels, C] to [N, C, pixels].
    private static T[] PlanesFirst<T>(T[] source, int pixels, int channels)
    {
        var result = new T[source.Length];
        int size = pixels * channels;
        for (int i = 0; i < source.Length; i++)
        {
            int inImage = i % size;
            result[i - inImage + inImage % channels * pixels + inImage / channels] = source[i];
        }

        return result;
    }

    private static DataException Error(string path, NamedArray array, string expected) => new(
        $"'{array.Name}' in '{path}' is {array.Type} [{string.Join(", ", array.Shape)}] where {expected} is expected: convert it.");

    private readonly record struct Pixels(int Channels, int Height, int Width, byte[] Values, float[]? Exact);
}
